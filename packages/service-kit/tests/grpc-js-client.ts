import { create, type DescService, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type Client, credentials, makeClientConstructor, type ServiceDefinition } from '@grpc/grpc-js';

/** Any method of a plain grpc-js client. */
export type GrpcJsClient = Client & Record<string, (...input: unknown[]) => unknown>;

/** A plain grpc-js client of a service, with protobuf-es messages in and out. */
export function grpcJsClient(service: DescService, address: string, options: object = {}): GrpcJsClient {
  const definition = Object.fromEntries(
    service.methods.map((method) => [
      method.localName,
      {
        path: `/${service.typeName}/${method.name}`,
        requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
        responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
        requestSerialize: (message: MessageInitShape<typeof method.input>) =>
          Buffer.from(toBinary(method.input, create(method.input, message))),
        requestDeserialize: (bytes: Buffer) => fromBinary(method.input, bytes),
        responseSerialize: (message: MessageInitShape<typeof method.output>) =>
          Buffer.from(toBinary(method.output, create(method.output, message))),
        responseDeserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
      },
    ]),
  ) as ServiceDefinition;
  const Constructor = makeClientConstructor(definition, service.typeName);
  return new Constructor(address, credentials.createInsecure(), options) as unknown as GrpcJsClient;
}
