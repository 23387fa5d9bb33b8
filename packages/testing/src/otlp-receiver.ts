import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BinaryReader, type WireType } from '@bufbuild/protobuf/wire';

/** A span as a collector gets it. */
export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty at the root. */
  readonly parentSpanId: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface OtlpReceiver extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
}

/** A collector in this process: takes OTLP over HTTP with protobuf bodies, and keeps the spans. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') {
        spans.push(...readExport(Buffer.concat(chunks)));
      }
      response.setHeader('content-type', 'application/x-protobuf');
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// Field numbers of opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest and what is in it.
function readExport(bytes: Uint8Array): ReceivedSpan[] {
  return fields(bytes, 1).flatMap((resourceSpans) => {
    const service = serviceName(fields(resourceSpans, 1)[0] ?? new Uint8Array());
    return fields(resourceSpans, 2).flatMap((scope) => fields(scope, 2).map((span) => readSpan(span, service)));
  });
}

function serviceName(resource: Uint8Array): string {
  const attributes = fields(resource, 1).map((attribute) => ({
    key: text(fields(attribute, 1)[0]),
    value: text(fields(fields(attribute, 2)[0] ?? new Uint8Array(), 1)[0]),
  }));
  return attributes.find(({ key }) => key === 'service.name')?.value ?? '';
}

function readSpan(span: Uint8Array, service: string): ReceivedSpan {
  const hex = (no: number) => Buffer.from(fields(span, no)[0] ?? []).toString('hex');
  return {
    service,
    name: text(fields(span, 5)[0]),
    traceId: hex(1),
    spanId: hex(2),
    parentSpanId: hex(4),
    startMs: nanos(span, 7) / 1e6,
    endMs: nanos(span, 8) / 1e6,
  };
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes ?? new Uint8Array());
}

/** The values of a field that has bytes. */
function fields(message: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  each(message, (no, type, reader) => {
    if (no === wanted && type === lengthDelimited) {
      found.push(reader.bytes());
      return true;
    }
    return false;
  });
  return found;
}

function nanos(message: Uint8Array, wanted: number): number {
  let found = 0;
  each(message, (no, _, reader) => {
    if (no === wanted) {
      found = Number(reader.fixed64());
      return true;
    }
    return false;
  });
  return found;
}

const lengthDelimited: WireType = 2;

function each(message: Uint8Array, take: (no: number, type: WireType, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag();
    if (!take(no, type, reader)) {
      reader.skip(type, no);
    }
  }
}
