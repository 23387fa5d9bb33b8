import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as HttpExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { type IMetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { TelemetryEnvironment } from './telemetry-environment.ts';

const defaultIntervalMs = 60_000;

/**
 * Reads the metrics of a process every `OTEL_METRIC_EXPORT_INTERVAL` milliseconds (60,000) and exports them by OTLP; undefined
 * when nobody wants them.
 */
export function otlpMetricReader(env: TelemetryEnvironment): IMetricReader | undefined {
  const endpoint = env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isWanted =
    env.OTEL_METRICS_EXPORTER === 'otlp' || (endpoint !== undefined && env.OTEL_METRICS_EXPORTER !== 'none');
  if (!isWanted || env.OTEL_SDK_DISABLED === 'true') {
    return undefined;
  }
  const protocol = env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL;
  const exportIntervalMillis = Number(env.OTEL_METRIC_EXPORT_INTERVAL ?? defaultIntervalMs);
  return new PeriodicExportingMetricReader({
    exporter: protocol === 'grpc' ? new GrpcExporter() : new HttpExporter(),
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(exportIntervalMillis, 30_000),
  });
}
