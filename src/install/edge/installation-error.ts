/** This program's own files are missing, or are not those that were installed. */
export class InstallationError extends Error {
  override name = 'InstallationError';
  readonly mend: string;

  constructor(message: string, mend: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.mend = mend;
  }
}
