/** A stored value does not match its format. */
export class MismatchError extends Error {
  override name = 'MismatchError';
  /** The path of the value, outermost field first. */
  readonly path: string[];

  constructor(message: string, path: string[] = []) {
    super(message);
    this.path = path;
  }
}
