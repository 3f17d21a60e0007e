/** The command in the README's picture. */
export const DEMO = './bin/mesosup demo --once';
export const DEMO_SIZE = { columns: 100, rows: 30 };
