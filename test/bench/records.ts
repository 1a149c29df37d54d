/**
 * Records as an org of Salesforce might have them, the same for the same seed: unicode, nulls, decimals, long texts
 * with quotes and line ends. Each comes in both forms, as a line of a Bulk result and as a record of a REST page.
 *
 * Laws
 * - Stamps and Ids both grow with the number of the row, so either order is the other.
 * - In both forms Id and the year of SystemModstamp stand at fixed places from the record's start: a server that
 *   repeats records under later Ids and years has nothing to search.
 * - A record depends on the seed and on how many came before it: fewer rows are the beginning of more.
 */
export interface Forms {
  csv: string
  json: string
}

/** ASCII order, so that texts sort as numbers do. */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const CHECKS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'
const YEAR = Date.UTC(2015, 0, 1)

/** The most rows whose stamps stay within one year. */
export const MOST_ROWS = 1_000_000

/**
 * An 18-character Id: the last three tell which of the others are capitals.
 * https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm (ID field type)
 */
export function idOf(prefix: string, number: number): string {
  let digits = ''
  for (let left = number, at = 0; at < 10; at++, left = Math.floor(left / 62)) digits = DIGITS[left % 62] + digits
  const id = `${prefix}00${digits}`
  let checks = ''
  for (let group = 0; group < 15; group += 5) {
    let bits = 0
    for (let at = 0; at < 5; at++) {
      const char = id.charCodeAt(group + at)
      if (char >= 65 && char <= 90) bits |= 1 << at
    }
    checks += CHECKS[bits]
  }
  return id + checks
}

export const rowId = (row: number): string => idOf('001', 5_000_000_000 + row * 13)

/** Seconds of SystemModstamp since the year began: mostly different, now and then eight in one. */
export function stampSecond(row: number): number {
  const block = row >> 3
  return block * 240 + (block % 8 === 0 ? 0 : (row & 7) * 25 + ((row * 7919) % 25))
}

export const stampOf = (row: number): string => new Date(YEAR + stampSecond(row) * 1000).toISOString()

const list = (words: string): string[] => words.split('|')
const words = list(
  [
    'global|systems|north|river|data|cloud|steel|energy|health|prime|delta',
    'apex|union|green|bright|solar|marine|logistics|partners|capital|foods|media',
    'studio|labs|works|design|group|trust|light|power|stone|field|bridge',
    'harbor|summit|valley|forest|quality|service|customer|renewal|contract|quarter|follow',
    'meeting|pricing|discount|approval|pipeline|migration|integration|support|training|budget|decision',
    'procurement|legal|review',
  ].join('|'),
)
const capitals = words.map((word) => word[0]!.toUpperCase() + word.slice(1))
const accents = list('Müller|São Paulo|Łódź|Zürich|Ångström|Çelik|Naïve|Peña|Köln|Tōkyō')
const scripts = list('株式会社東京|北京科技|서울무역|Москва|Αθήνα|🚀 launch|✅ done')
const cities = list(
  'New York|San Francisco|London|Paris|Zürich|São Paulo|München|Tokyo|Austin|Toronto|Sydney|Łódź|Boston|Chicago|Denver',
)
const states = list('NY|CA|TX|MA|IL|CO|WA|ON|BY|SP')
const countries = list('United States|United Kingdom|France|Switzerland|Brazil|Germany|Japan|Canada|Australia|Poland')
const kinds = list('Prospect|Customer - Direct|Customer - Channel|Technology Partner|Other')
const industries = list(
  'Agriculture|Banking|Biotechnology|Chemicals|Construction|Consulting|Education|Energy|Finance|Healthcare|Media|Retail|Technology',
)
const stages = list(
  'Prospecting|Qualification|Needs Analysis|Value Proposition|Negotiation/Review|Closed Won|Closed Lost',
)
const forecasts = list('Omitted|Pipeline|Best Case|Commit|Closed')
const companies = list(' Inc| GmbH| Ltd|, LLC| SA')
const owners = list('Public|Private|Subsidiary|Other')
const ratings = list('Hot|Warm|Cold')
const origins = list('Web|Phone Inquiry|Partner Referral|Purchased List|Other')
const users = Array.from({ length: 300 }, (_, at) => idOf('005', 7_000_000_000 + at * 977))

export class Records {
  #state: number
  #row = 0
  #csv = ''
  #json = ''

  constructor(seed = 0x12345678) {
    this.#state = seed >>> 0
  }

  next(): Forms {
    const row = this.#row++
    const id = rowId(row)
    const stamp = stampOf(row)
    this.#csv = `"${id}"`
    this.#json = `{"attributes":{"type":"Account","url":"/services/data/v62.0/sobjects/Account/${id}"},"Id":"${id}"`
    this.#instant('SystemModstamp', stamp)
    this.#plain('IsDeleted', this.#chance(0.02))
    this.#text('MasterRecordId', this.#chance(0.01) ? idOf('001', this.#below(1e9)) : null)
    const word = this.#below(words.length)
    const odd = this.#below(100)
    const extra = odd < 8 ? ` ${this.#pick(accents)}` : odd < 9 ? ` ${this.#pick(scripts)}` : ''
    this.#text('Name', `${capitals[word]} ${this.#pick(capitals)}${extra}${this.#pick(companies)}`)
    this.#text('Type', this.#pick(kinds))
    this.#text('ParentId', this.#chance(0.2) ? rowId(this.#below(row + 1)) : null)
    const suite = this.#chance(0.2) ? `Suite ${this.#below(900)}` : ''
    const street = `${this.#below(9999)} ${this.#pick(capitals)} Street`
    this.#forms('BillingStreet', suite ? `${street}\n${suite}` : street, suite ? `${street}\\n${suite}` : street)
    this.#text('BillingCity', this.#pick(cities))
    this.#text('BillingState', this.#pick(states))
    this.#text('BillingPostalCode', String(10_000 + this.#below(89_999)))
    this.#text('BillingCountry', this.#pick(countries))
    this.#plain('BillingLatitude', this.#chance(0.6) ? this.#degrees(90) : null)
    this.#plain('BillingLongitude', this.#chance(0.6) ? this.#degrees(180) : null)
    this.#text('Phone', `(${this.#area()}) ${this.#area()}-${1000 + this.#below(8999)}`)
    this.#text('Fax', this.#chance(0.1) ? `(${this.#area()}) 555-${1000 + this.#below(8999)}` : null)
    this.#text('AccountNumber', `CC${100_000 + this.#below(899_999)}`)
    this.#text('Website', this.#chance(0.7) ? `https://www.${words[word]}${this.#below(1e5)}.example.com` : null)
    this.#text('Industry', this.#pick(industries))
    this.#plain('AnnualRevenue', this.#chance(0.7) ? cents(this.#below(2e9) * 25) : null)
    this.#plain('NumberOfEmployees', this.#chance(0.8) ? this.#below(50_000) : null)
    this.#text('Ownership', this.#pick(owners))
    this.#text('TickerSymbol', this.#chance(0.1) ? this.#pick(words).slice(0, 3).toUpperCase() : null)
    this.#description()
    this.#text('Rating', this.#chance(0.5) ? this.#pick(ratings) : null)
    this.#text('Site', this.#chance(0.2) ? `HQ-${this.#below(50)}` : null)
    this.#text('OwnerId', this.#pick(users))
    this.#instant('CreatedDate', this.#anyInstant())
    this.#text('CreatedById', this.#pick(users))
    this.#instant('LastModifiedDate', stamp)
    this.#text('LastModifiedById', this.#pick(users))
    this.#text('LastActivityDate', this.#chance(0.6) ? this.#anyInstant().slice(0, 10) : null)
    this.#text('AccountSource', this.#chance(0.7) ? this.#pick(origins) : null)
    this.#text('StageName', this.#pick(stages))
    this.#plain('Amount', this.#chance(0.85) ? cents(this.#below(1e8)) : null)
    this.#plain('Probability', `${this.#below(21) * 5}.0`)
    this.#text('CloseDate', this.#anyInstant().slice(0, 10))
    this.#text('ForecastCategory', this.#pick(forecasts))
    this.#plain('HasOpenActivity', this.#chance(0.4))
    this.#text(
      'Email__c',
      this.#chance(0.8) ? `${words[word]}.${this.#pick(words)}${this.#below(1000)}@example.com` : null,
    )
    return { csv: `${this.#csv}\n`, json: `${this.#json}}` }
  }

  /** Xorshift (https://www.jstatsoft.org/article/view/v008i14). */
  #below(limit: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return Math.floor(((state >>> 0) / 4_294_967_296) * limit)
  }

  #chance = (share: number): boolean => this.#below(10_000) < share * 10_000
  #pick = (from: string[]): string => from[this.#below(from.length)]!
  #area = (): number => 200 + this.#below(799)
  #degrees = (most: number): string => ((this.#below(2_000_001) / 1e6 - 1) * most).toFixed(6)
  #anyInstant = (): string => new Date(1_420_070_400_000 - this.#below(1.5e8) * 1000).toISOString()

  #forms(name: string, csv: string, json: string): void {
    this.#csv += `,"${csv}"`
    this.#json += `,"${name}":"${json}"`
  }

  /** Text that needs no escapes in either form. */
  #text(name: string, value: string | null): void {
    if (value === null) this.#plain(name, null)
    else this.#forms(name, value, value)
  }

  #instant(name: string, iso: string): void {
    this.#forms(name, iso, `${iso.slice(0, -1)}+0000`)
  }

  #plain(name: string, value: string | number | boolean | null): void {
    this.#csv += value === null ? ',""' : `,"${value}"`
    this.#json += `,"${name}":${value}`
  }

  #description(): void {
    if (this.#chance(0.4)) return this.#plain('Description', null)
    const length = 20 + this.#below(this.#chance(0.05) ? 1500 : 240)
    let csv = ''
    let json = ''
    while (csv.length < length) {
      const kind = this.#below(1000)
      const word = this.#pick(kind >= 75 && kind < 85 ? accents : words)
      csv += kind < 30 ? '\n' : kind < 60 ? ', ' : kind < 75 ? ` ""${word}"" ` : `${word} `
      json += kind < 30 ? '\\n' : kind < 60 ? ', ' : kind < 75 ? ` \\"${word}\\" ` : `${word} `
    }
    const end = this.#chance(0.01) ? this.#pick(scripts) : '.'
    this.#forms('Description', csv + end, json + end)
  }
}

/** As Salesforce writes numbers with decimals: at least one, and no zeros behind it. */
function cents(value: number): string {
  const rest = value % 100
  const whole = (value - rest) / 100
  return rest % 10 === 0 ? `${whole}.${rest / 10}` : `${whole}.${rest < 10 ? '0' : ''}${rest}`
}
