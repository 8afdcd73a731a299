import {
  isSpanContextValid,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { readVersion } from './version.ts';

/**
 * OpenTelemetry spans, for whoever registered a provider in this thread before the server started
 * (docs/operations.md "Traces"). Without one there is no tracer, and what may be traced asks no more
 * than that.
 */
export function findTracer(): Tracer | undefined {
  const tracer = trace.getTracer('encke', readVersion());
  // The API does not say whether there is a provider, but a span of none has no identity. This one is
  // never ended, so no exporter gets it.
  return isSpanContextValid(tracer.startSpan('encke.probe').spanContext()) ? tracer : undefined;
}

/** Runs something in a span that is the parent of what is traced within. */
export function traced<T>(
  tracer: Tracer | undefined,
  name: string,
  attributes: Attributes,
  run: () => Promise<T>,
): Promise<T> {
  if (tracer === undefined) return run();
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await run();
    } catch (error) {
      failSpan(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

export function failSpan(span: Span, error: unknown): void {
  // Not its message, which may quote what a client or an authenticator said.
  span.setStatus({ code: SpanStatusCode.ERROR });
  if (error instanceof Error) span.setAttribute('error.type', error.name);
}
