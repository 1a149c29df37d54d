/** Errors as the API words them: an array of one message with its code. */

export class ApiError extends Error {
  readonly status: number
  readonly errorCode: string

  constructor(status: number, errorCode: string, message: string) {
    super(message)
    this.status = status
    this.errorCode = errorCode
  }

  body(): string {
    return JSON.stringify([{ message: this.message, errorCode: this.errorCode }])
  }
}

export function notFound(): ApiError {
  return new ApiError(404, 'NOT_FOUND', 'The requested resource does not exist')
}

export function invalidSession(): ApiError {
  return new ApiError(401, 'INVALID_SESSION_ID', 'Session expired or invalid')
}

export function requestLimit(): ApiError {
  return new ApiError(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.')
}

export function invalidLocator(): ApiError {
  return new ApiError(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator')
}

/** An error in a query, with the words around it and a caret below the place. */
export function queryError(soql: string, at: number, errorCode: string, message: string): ApiError {
  const before = soql.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  const from = Math.max(before.lastIndexOf('\n') + 1, at - 40)
  const words = soql.slice(from, at + 40).split('\n')[0]
  const place = `\n${words}\n${' '.repeat(at - from)}^\nERROR at Row:${line}:Column:${column}\n`
  return new ApiError(400, errorCode, place + message)
}

export function noSuchColumn(soql: string, at: number, name: string, object: string): ApiError {
  const advice =
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. " +
    'Please reference your WSDL or the describe call for the appropriate names.'
  return queryError(soql, at, 'INVALID_FIELD', `No such column '${name}' on entity '${object}'. ${advice}`)
}

export function noSuchObject(soql: string, at: number, name: string): ApiError {
  const advice =
    "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. " +
    'Please reference your WSDL or the describe call for the appropriate names.'
  return queryError(soql, at, 'INVALID_TYPE', `sObject type '${name}' is not supported. ${advice}`)
}
