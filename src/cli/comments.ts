/** A string of JSON, or a comment: whichever begins first. One that is not closed is left as it is. */
const stringOrComment = /"(?:[^"\\]|\\.)*"|\/\/[^\n\r]*|\/\*[\s\S]*?\*\//g;

/** JSON that may have comments, as JSON: they become blanks, so that positions stay the same. */
export const withoutComments = (text: string): string =>
  text.replace(stringOrComment, (found) => (found.startsWith('"') ? found : found.replace(/[^\n\r]/g, ' ')));
