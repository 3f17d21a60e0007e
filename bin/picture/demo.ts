/** What the picture of the README shows. */
export const DEMO = './bin/mesosup demo --once';
export const DEMO_SIZE = { columns: 100, rows: 30 };
