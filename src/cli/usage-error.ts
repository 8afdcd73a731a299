/** What the operator asked for cannot be done: one line on standard error, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  constructor(message: string) {
    super(oneLine(message));
  }
}

/** --help or --version: a text for standard output, exit code 0. */
export class TextRequest extends Error {
  override readonly name = 'TextRequest';
  readonly text: string;
  constructor(text: string) {
    super('a text was asked for');
    this.text = text;
  }
}

export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
