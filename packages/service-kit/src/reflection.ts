import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter } from '@connectrpc/connect';
import { ServerReflection as V1 } from '@spanwise/contracts/grpc/reflection/v1/reflection';
import { ServerReflection as V1Alpha } from '@spanwise/contracts/grpc/reflection/v1alpha/reflection';

/** What both versions of the protocol ask. */
interface Request {
  readonly messageRequest: { readonly case: string | undefined; readonly value?: unknown };
}
type Answer =
  | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array<ArrayBuffer>[] } }
  | { case: 'errorResponse'; value: { errorCode: number; errorMessage: string } };

/** Server reflection v1 and v1alpha (the same messages under two names), so that grpcurl needs no proto files. */
export function reflectionRoutes(router: ConnectRouter, services: readonly DescService[]): void {
  const files = filesOf(services);
  const symbols = symbolsOf(files.values());
  async function* answer(requests: AsyncIterable<Request>) {
    for await (const { messageRequest } of requests) {
      yield { messageResponse: answerTo(messageRequest, services, files, symbols) };
    }
  }
  router.service(V1, { serverReflectionInfo: answer });
  router.service(V1Alpha, { serverReflectionInfo: answer });
}

function answerTo(
  request: Request['messageRequest'],
  services: readonly DescService[],
  files: ReadonlyMap<string, DescFile>,
  symbols: ReadonlyMap<string, DescFile>,
): Answer {
  const asked = String(request.value);
  switch (request.case) {
    case 'listServices':
      return {
        case: 'listServicesResponse',
        value: { service: services.map(({ typeName }) => ({ name: typeName })) },
      };
    case 'fileByFilename':
      return fileAnswer(files.get(asked), asked);
    case 'fileContainingSymbol':
      return fileAnswer(symbols.get(asked), asked);
    default:
      return failure(Code.Unimplemented, 'not supported');
  }
}

function fileAnswer(file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) {
    return failure(Code.NotFound, `not found: ${asked.slice(0, 64)}`);
  }
  const fileDescriptorProto = [...closure(file)].map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}

/** The file and everything that it imports, itself first. */
function closure(file: DescFile, found = new Set<DescFile>()): Set<DescFile> {
  if (!found.has(file)) {
    found.add(file);
    for (const dependency of file.dependencies) {
      closure(dependency, found);
    }
  }
  return found;
}

function filesOf(services: readonly DescService[]): Map<string, DescFile> {
  const all = new Set(services.flatMap((service) => [...closure(service.file)]));
  return new Map([...all].map((file) => [file.proto.name, file]));
}

function symbolsOf(files: Iterable<DescFile>): Map<string, DescFile> {
  const symbols = new Map<string, DescFile>();
  for (const file of files) {
    for (const { typeName, methods } of file.services) {
      symbols.set(typeName, file);
      for (const method of methods) {
        symbols.set(`${typeName}.${method.name}`, file);
      }
    }
    for (const { typeName } of [...file.messages, ...file.enums]) {
      symbols.set(typeName, file);
    }
  }
  return symbols;
}
