/** Wrong filters and wrong transforms, one mistake each. */
import { tellEach, type Wrong } from './one-mistake.ts'

const S = 'source.objects[0].transform[0]'
const W = 'source.objects[0].where'

const filters: Wrong[] = [
  ['where', '{ A: Acme }', `${W}.A`, /must be a mapping/, /\{ eq: Acme \}/],
  ['where', '{ A: {} }', `${W}.A`, /no operator/, /eq, ne/],
  ['where', '{ A: { eq: null } }', `${W}.A.eq`, /null equals nothing/, /isNull: true/],
  ['where', '{ A: { eq: [1, 2] } }', `${W}.A.eq`, /cannot be a list/],
  ['where', '{ A: { gt: true } }', `${W}.A.gt`, /cannot be the word true/],
  ['where', '{ A: { in: [] } }', `${W}.A.in`, /at least 1/],
  ['where', '{ A: { in: [true, 1] } }', `${W}.A.in`, /mixes/],
  ['where', '{ A: { between: [1] } }', `${W}.A.between`, /at least 2, has 1/, /both included/],
  ['where', '{ A: { between: [3, 1] } }', `${W}.A.between`, /runs backwards/, /lower value first/],
  ['where', '{ A: { isNull: 1 } }', `${W}.A.isNull`, /must be true or false/],
  ['where', '{ A: { contains: "" } }', `${W}.A.contains`, /is empty/],
  ['where', '{ "": { eq: 1 } }', `${W}[""]`, /is empty/],
]

const steps: Wrong[] = [
  ['step', '{}', S, /an empty step/, /keep, drop, rename/],
  ['step', '{ keep: [A], drop: [B] }', S, /one step has 2 keys: keep, drop/, /a step of its own/],
  ['step', 'drop', S, /must be a mapping/, /exactly one key/],
  ['step', '{ keep: Id }', `${S}.keep`, /must be a list, not text/, /\[ \.\.\. \]/],
  ['step', '{ keep: [] }', `${S}.keep`, /at least 1/],
  ['step', '{ drop: [A, A] }', `${S}.drop[1]`, /'A' is listed twice/],
  ['step', '{ rename: {} }', `${S}.rename`, /is empty/],
  ['step', '{ rename: { A: x, B: x } }', `${S}.rename.B`, /two fields are renamed to 'x'/],
  ['step', '{ rename: { A: _lakeward_op } }', `${S}.rename.A`, /reserved/],
  ['step', '{ cast: { A: int } }', `${S}.cast.A`, /did you mean int32 or int64/],
  ['step', '{ cast: { A: strng } }', `${S}.cast.A`, /did you mean 'string'/],
  ['step', '{ cast: { A: "decimal(39,2)" } }', `${S}.cast.A`, /no such precision/, /1 to 38/],
  ['step', '{ cast: { A: "decimal(4,5)" } }', `${S}.cast.A`, /no such precision/],
  ['step', '{ cast: { A: decimal } }', `${S}.cast.A`, /did you mean decimal\(p,s\)/],
  ['step', '{ set: { A: null } }', `${S}.set.A`, /cannot be empty/, /Text, a number/],
  ['step', '{ concat: { into: a } }', `${S}.concat.template`, /'template' is missing/],
  ['step', '{ concat: { into: a, template: "{A" } }', `${S}.concat.template`, /not closed/, /\{\{ for a brace/],
  ['step', '{ concat: { into: a, template: "{}" } }', `${S}.concat.template`, /without a field/],
  ['step', '{ concat: { into: a, template: plain } }', `${S}.concat.template`, /names no field/, /set/],
  ['step', '{ arithmetic: { into: a } }', `${S}.arithmetic`, /says no operation/, /exactly one of add/],
  ['step', '{ arithmetic: { into: a, add: [A, 1], divide: [A, 2] } }', `${S}.arithmetic`, /says add and divide/],
  ['step', '{ arithmetic: { into: a, add: [A] } }', `${S}.arithmetic.add`, /at least 2/],
  ['step', '{ arithmetic: { into: a, add: [1, 2] } }', `${S}.arithmetic.add`, /names no field/, /set/],
  ['step', '{ arithmetic: { into: a, divide: [A, 0] } }', `${S}.arithmetic.divide`, /divides by zero/],
  ['step', '{ truncate: { fields: [A], length: 0 } }', `${S}.truncate.length`, /at least 1/],
  ['step', '{ truncate: { fields: [A], length: 2.5 } }', `${S}.truncate.length`, /whole number/],
  ['step', '{ formatDate: { fields: [A] } }', `${S}.formatDate.pattern`, /'pattern' is missing/],
  [
    'step',
    '{ formatDate: { fields: [A], pattern: yyyy, timezone: X } }',
    `${S}.formatDate.timezone`,
    /not a time zone/,
  ],
  ['step', '{ mapValues: { fields: [A], values: {} } }', `${S}.mapValues.values`, /is empty/],
  ['step', '{ mapValues: { fields: [A], values: { x: [1] } } }', `${S}.mapValues.values.x`, /cannot be a list/],
  ['step', '{ hash: { fields: [A] } }', `${S}.hash.key`, /'key' is missing/, /lakeward.yaml/],
  ['step', '{ hash: { fields: [A], key: state } }', `${S}.hash.key`, /reserved/],
  ['step', '{ mask: { fields: [A], with: "**" } }', `${S}.mask.with`, /one character/],
  [
    'step',
    '{ mask: { fields: [A], hideFirst: 1, keepLast: 1 } }',
    `${S}.mask`,
    /cannot stand together/,
    /keepFirst with keepLast/,
  ],
  ['step', '{ mask: { fields: [A], keepLast: -1 } }', `${S}.mask.keepLast`, /at least 1/],
  ['step', '{ validate: { fields: [A], rule: notNul } }', `${S}.validate.rule`, /did you mean 'notNull'/],
  ['step', '{ validate: { rule: notNull } }', `${S}.validate.fields`, /'fields' is missing/, /any bad one counts/],
]

const numbers: Wrong[] = [
  ['where', '{ A: { eq: 12345678901234567890 } }', `${W}.A.eq`, /cannot be held exactly/, /quotes/],
  ['where', '{ A: { eq: 9007199254740993 } }', `${W}.A.eq`, /cannot be held exactly/],
  ['step', '{ set: { A: 0.12345678901234567891 } }', `${S}.set.A`, /cannot be held exactly/],
  ['step', '{ set: { A: .inf } }', `${S}.set.A`, /cannot be held exactly/],
]

tellEach({ filters, steps, numbers })
