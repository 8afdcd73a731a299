import { trace, TraceFlags, type Attributes, type Span, type Tracer } from '@opentelemetry/api';

export interface Ended {
  readonly name: string;
  readonly attributes: Readonly<Attributes>;
  readonly failed: boolean;
}

/** A provider of traces as small as can be: tells each span that has ended. */
export function registerProvider(onEnd: (span: Ended) => void): void {
  let last = 0;
  const tracer = {
    startSpan(name: string, options?: { readonly attributes?: Attributes }): Span {
      const attributes: Attributes = { ...options?.attributes };
      let failed = false;
      last += 1;
      const spanId = last.toString(16).padStart(16, '0');
      const span = {
        spanContext: () => ({ traceId: spanId.padStart(32, '1'), spanId, traceFlags: TraceFlags.SAMPLED }),
        setAttribute: (key: string, value: string) => {
          attributes[key] = value;
          return span;
        },
        setStatus: () => {
          failed = true;
          return span;
        },
        end: () => onEnd({ name, attributes, failed }),
      };
      return span as unknown as Span;
    },
    startActiveSpan: (name: string, options: object, run: (span: Span) => unknown) =>
      run(tracer.startSpan(name, options)),
  };
  trace.setGlobalTracerProvider({ getTracer: () => tracer as unknown as Tracer });
}
