/** The variables that decide about tracing; the exporters read further `OTEL_EXPORTER_OTLP_*` ones by themselves. */
export type TelemetryEnvironment = Readonly<Record<string, string | undefined>>;
