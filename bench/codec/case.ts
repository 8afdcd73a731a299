/** One codec at work: an operation handles many messages, as a tick does. */
export interface Case {
  readonly name: string;
  /** What of others does the same with the same content: the name of another case of the group. */
  readonly baseline?: string;
  readonly messages: number;
  /** Of the encoded form, in one operation. */
  readonly bytes: number;
  readonly run: () => void;
}

/** Cases of one table. */
export interface Group {
  readonly title: string;
  readonly cases: readonly Case[];
}
