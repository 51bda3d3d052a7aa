/** Where the report of a day lies, here and at the target. Each recorder has its own. */
export const reportPath = (date: string, recorder: string) => `reports/date=${date}/report-${recorder}.html`
