/** An HTTP proxy on loopback that does CONNECT (RFC 9110 9.3.6) and nothing else, and says whom it was asked for. */
import { createConnection, createServer, type Socket } from 'node:net';

export type ConnectProxy = {
  readonly url: string;
  /** `host:port` of each tunnel that was asked for. */
  readonly tunnels: () => readonly string[];
  /** Bytes that went through all tunnels so far, both ways. */
  readonly carriedBytes: () => number;
  readonly close: () => Promise<void>;
};

const REQUEST = /^CONNECT ([^\s:]+):(\d+) HTTP\/1\.1\r\n/;

export const openConnectProxy = async (): Promise<ConnectProxy> => {
  const tunnels: string[] = [];
  const sockets = new Set<Socket>();
  let carried = 0;
  const count = (chunk: Buffer) => {
    carried += chunk.length;
  };
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  };
  const server = createServer((client) => {
    keep(client);
    client.once('data', (head) => {
      const [, host, port] = REQUEST.exec(head.toString()) ?? [];
      if (host === undefined) {
        client.end('HTTP/1.1 405 Method Not Allowed\r\n\r\n');
        return;
      }
      tunnels.push(`${host}:${port}`);
      const upstream = createConnection({ host, port: Number(port) }, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.on('data', count).pipe(client).on('data', count).pipe(upstream);
      });
      keep(upstream);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    tunnels: () => tunnels,
    carriedBytes: () => carried,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
