import { connect } from 'node:http2';

/**
 * True once the server answers a real call: DescribeNamespace for `default` over gRPC. An open port is not enough, as
 * the dev server opens it before the namespace exists, and a worker that comes in between fails.
 * Written on node:http2, so that this room needs no Temporal client.
 */
export function temporalAnswers({ address, timeoutMs }: { address: string; timeoutMs: number }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const session = connect(`http://${address}`);
  const timer = setTimeout(() => resolve(false), timeoutMs);
  session.once('error', () => resolve(false));
  const call = session.request({
    ':method': 'POST',
    ':path': '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.once('error', () => resolve(false));
  // A refusal comes as headers only, a success with its status in the trailers.
  call.on('response', (headers) => {
    if (headers['grpc-status'] !== undefined) resolve(headers['grpc-status'] === '0');
  });
  call.on('trailers', (headers) => resolve(headers['grpc-status'] === '0'));
  call.resume();
  call.end(frame('default'));
  return promise.finally(() => {
    clearTimeout(timer);
    session.destroy();
  });
}

/** One uncompressed gRPC message whose protobuf field 1 is the namespace's name. */
function frame(namespace: string): Buffer {
  const name = Buffer.from(namespace, 'utf8');
  const message = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
