/** The release that this program belongs to: in `/v2/info`, and in what is stored. */
export const RELEASE = '0.1.0';
