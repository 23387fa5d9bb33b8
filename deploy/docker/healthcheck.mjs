// HEALTHCHECK of the images: asks the service in this container whether it takes requests, by grpc.health.v1.Health/Check.
// Exit code 0 when it says SERVING, else 1 with the reason. Needs nothing but Node.
import { connect } from 'node:http2';

const timeoutMs = 3000;
/** A gRPC message: not compressed, 0 bytes long. An empty HealthCheckRequest asks for the whole process. */
const request = Buffer.from([0, 0, 0, 0, 0]);
/** HealthCheckResponse with status = SERVING, in the same framing. */
const serving = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]);

function fail(why) {
  console.error(why);
  process.exit(1);
}

setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs).unref();

const session = connect(`http://127.0.0.1:${process.env.SPANWISE_PORT}`);
session.on('error', (error) => fail(error.message));
const call = session.request({
  ':method': 'POST',
  ':path': '/grpc.health.v1.Health/Check',
  'content-type': 'application/grpc',
  te: 'trailers',
});
call.on('error', (error) => fail(error.message));
const chunks = [];
call.on('data', (chunk) => chunks.push(chunk));
call.on('end', () => {
  const response = Buffer.concat(chunks);
  if (!response.equals(serving)) {
    fail(`not serving: ${response.toString('hex') || 'no message'}`);
  }
  session.close();
});
call.end(request);
