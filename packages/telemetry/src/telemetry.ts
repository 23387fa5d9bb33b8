import {
  type Context,
  createNoopMeter,
  type Meter,
  context as otelContext,
  type SpanContext,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { type IMetricReader, MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { ExecSpanContext } from '@spanwise/kernel';
import { type FinishedSpan, readableSpan } from './finished-span.ts';
import { otlpMetricReader } from './metrics.ts';
import type { TelemetryEnvironment } from './telemetry-environment.ts';

export interface TelemetryOptions {
  /** `service.name` of what this process exports. */
  readonly service: string;
  readonly env: TelemetryEnvironment;
  /** Replaces the OTLP exporter; for tests. */
  readonly processor?: SpanProcessor;
  /** Replaces the reader that exports metrics by OTLP; for tests. */
  readonly metricReader?: IMetricReader;
}

/**
 * Tracing and metrics of one service. Several may live in one process, so nothing is registered globally and every parent is passed
 * explicitly. Exports by OTLP when `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or
 * `OTEL_TRACES_EXPORTER=otlp` is set; `OTEL_SDK_DISABLED=true` turns it off. Without an exporter no span is sampled.
 * Metrics go the same way, by `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` and `OTEL_METRICS_EXPORTER`.
 */
export class Telemetry implements AsyncDisposable {
  readonly service: string;
  /** For RPC spans: leaves under the ExecSpan that encloses them. */
  readonly tracer: Tracer;
  /** For the metrics of the service; measures nothing when they are not exported. */
  readonly meter: Meter;
  readonly #processor: SpanProcessor | undefined;
  readonly #provider: TracerProvider;
  readonly #meters: MeterProvider | undefined;
  readonly #sampler: Sampler;
  readonly #resources = new Map<string, Resource>();

  constructor({ service, env, processor, metricReader }: TelemetryOptions) {
    this.service = service;
    this.#processor = processor ?? otlpProcessor(env);
    this.#sampler = this.#processor === undefined ? new AlwaysOffSampler() : samplerOf(env);
    this.#provider = new TracerProvider({
      resource: this.#resourceOf(service),
      sampler: new ParentBasedSampler({ root: this.#sampler }),
      spanProcessors: this.#processor === undefined ? [] : [this.#processor],
    });
    this.tracer = this.#provider.getTracer('spanwise');
    const reader = metricReader ?? otlpMetricReader(env);
    this.#meters =
      reader === undefined ? undefined : new MeterProvider({ resource: this.#resourceOf(service), readers: [reader] });
    this.meter = this.#meters?.getMeter('spanwise') ?? createNoopMeter();
  }

  /** Whether anything is exported at all. */
  get isEnabled(): boolean {
    return this.#processor !== undefined;
  }

  /** Trace flags of a new trace, by `OTEL_TRACES_SAMPLER`: 1 = its spans are exported. */
  traceFlags(traceId: string): number {
    const { decision } = this.#sampler.shouldSample(otelContext.active(), traceId, 'run', SpanKind.INTERNAL, {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED ? 1 : 0;
  }

  /** Exports a span of the log with its own ids, times and service. Does nothing when its trace is not sampled. */
  export(span: FinishedSpan): void {
    if (this.#processor !== undefined && (span.traceFlags & 1) === 1) {
      this.#processor.onEnd(readableSpan(span, this.#resourceOf(span.service)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#provider.shutdown(), this.#meters?.shutdown()]);
  }

  #resourceOf(service: string): Resource {
    let resource = this.#resources.get(service);
    if (resource === undefined) {
      resource = defaultResource().merge(resourceFromAttributes({ 'service.name': service }));
      this.#resources.set(service, resource);
    }
    return resource;
  }
}

/** OpenTelemetry's context for children of an ExecSpan. */
export function parentContext(parent: ExecSpanContext | undefined): Context {
  const root = otelContext.active();
  return parent === undefined ? root : trace.setSpanContext(root, spanContextOf(parent));
}

function spanContextOf({ span, traceId, traceFlags }: ExecSpanContext): SpanContext {
  return { traceId, spanId: span.id, traceFlags, isRemote: true };
}

function otlpProcessor(env: TelemetryEnvironment): SpanProcessor | undefined {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isWanted =
    env.OTEL_TRACES_EXPORTER === 'otlp' || (endpoint !== undefined && env.OTEL_TRACES_EXPORTER !== 'none');
  if (!isWanted || env.OTEL_SDK_DISABLED === 'true') {
    return undefined;
  }
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL;
  const exporter = protocol === 'grpc' ? new GrpcExporter() : new HttpExporter();
  return new BatchSpanProcessor({ exporter, scheduledDelayMillis: Number(env.OTEL_BSP_SCHEDULE_DELAY ?? 1000) });
}

function samplerOf(env: TelemetryEnvironment): Sampler {
  switch (env.OTEL_TRACES_SAMPLER) {
    case 'always_off':
    case 'parentbased_always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
    case 'parentbased_traceidratio':
      return new TraceIdRatioBasedSampler(Number(env.OTEL_TRACES_SAMPLER_ARG ?? 1));
    default:
      return new AlwaysOnSampler();
  }
}
