/** The release of this program, shown in `/v2/info` and stored in files. */
export const RELEASE = '0.1.0';
