/** The text of a message: its serial and its length, so that a text that was changed is noticed. */
export function encodeText(serial: number, length: number): string {
  return `${serial} ${length} `.padEnd(length, filling(serial));
}

/** The serial of a text; -1: nobody wrote that. */
export function decodeText(text: string): number {
  const serialEnd = text.indexOf(' ');
  const lengthEnd = text.indexOf(' ', serialEnd + 1);
  if (serialEnd < 1 || lengthEnd < 0) return -1;
  const serial = Number(text.slice(0, serialEnd));
  const length = Number(text.slice(serialEnd + 1, lengthEnd));
  if (!Number.isInteger(serial) || Math.max(length, lengthEnd + 1) !== text.length) return -1;
  const whole = length <= lengthEnd + 1 || text.endsWith(filling(serial));
  return whole ? serial : -1;
}

const filling = (serial: number): string => String.fromCharCode(97 + (serial % 26));
