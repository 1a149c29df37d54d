/** Longer runs of the same tests. */
export const thorough = process.env['LAKEWARD_THOROUGH'] === '1'
