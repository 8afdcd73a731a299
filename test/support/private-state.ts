import { Session, type Runtime } from 'node:inspector/promises';

/** Sets private fields of an object, for states that no test can reach by playing. */
export async function setPrivate(
  object: object,
  fields: Readonly<Record<`#${string}`, number>>,
): Promise<void> {
  const session = new Session();
  const global = globalThis as { __object?: object };
  global.__object = object;
  session.connect();
  try {
    for (const [field, value] of Object.entries(fields)) {
      // As in a debugger's console, which may name private fields.
      const expression = `__object.${field} = ${value}`;
      const answer: unknown = await session.post('Runtime.evaluate', { expression, replMode: true });
      const { exceptionDetails } = answer as Runtime.EvaluateReturnType;
      if (exceptionDetails !== undefined) throw new Error(`${field}: ${exceptionDetails.text}`);
    }
  } finally {
    session.disconnect();
    delete global.__object;
  }
}
