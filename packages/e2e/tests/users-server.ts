import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that came to the server of the users' files. */
export interface SentRequest {
  readonly path: string;
  readonly authorization: string;
}

/** Somebody's HTTP file API: `/files/profile.txt` and `/files/plans.txt`, whose text depends on the token. */
export interface UsersServer extends AsyncDisposable {
  /** What is at `/files` for each token that is taken; change it at any time. */
  readonly tokens: Map<string, string>;
  readonly sent: SentRequest[];
  /** Configuration of a view with it at `/userinfo`. */
  readonly viewYaml: string;
}

export async function startUsersServer(): Promise<UsersServer> {
  const tokens = new Map<string, string>();
  const sent: SentRequest[] = [];
  const server = createServer(({ url = '', method, headers: { authorization = '' } }, response) => {
    sent.push({ path: url, authorization });
    const text = tokens.get(authorization.replace(/^Bearer /, ''));
    const status = text === undefined ? 401 : /^\/files\/(profile|plans)\.txt$/.test(url) ? 200 : 404;
    const body = status === 200 ? (text ?? '') : '';
    response.writeHead(status, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) });
    response.end(method === 'HEAD' ? undefined : body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ tokens, sent },
    viewYaml: `disks:
  work: { kind: tree }
  users: { kind: rest, base_url: "http://127.0.0.1:${port}/files", auth: forward_user }
fs_view:
  session:
    mount_conf:
      - { mount: /workspace, disk_name: work, remote: "/{uid}/{session_id}", output_path: true }
      - { mount: /userinfo, disk_name: users, read_only: true }
`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
