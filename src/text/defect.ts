/** An error that no code expects: a bug, reported as one by the program's beginning. */
export class Defect extends Error {
  override name = 'Defect';

  /** @param cause the error as it was thrown */
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
