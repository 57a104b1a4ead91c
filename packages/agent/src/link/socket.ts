/** The connection as the link needs it: text out, text in, and its end told once. */

export type Socket = {
  readonly send: (text: string) => void;
  /** Ends it without waiting for the other side, which may not be there. */
  readonly close: () => void;
};

export type SocketEvents = {
  readonly onMessage: (data: unknown) => void;
  /** The fault of a connection that could not be made; null for one that was closed. */
  readonly onClosed: (fault: string | null) => void;
};

export type Dial = (events: SocketEvents) => Socket;

/** `tls` says whom to believe; `proxy` is the URL of an HTTP proxy on the way. */
type Way = { readonly tls?: { readonly ca: string }; readonly proxy?: string };

/** What the runtime says, without the address that the log line names anyway. */
const shorten = (message: string): string => message.replace(/^WebSocket connection to '[^']*' failed: /, '').trim();

const faultOf = (event: Event): string => {
  const message = 'message' in event && typeof event.message === 'string' ? shorten(event.message) : '';
  const [, status] = /^Expected 101 status code: ?(\d*)/.exec(message) ?? [];
  if (status === undefined) return message || 'the connection broke';
  return `expected an upgrade to a WebSocket, got HTTP ${status || 'without a status'}: a proxy or a captive portal may stand in between, or this is another server`;
};

/** Dials by the runtime's WebSocket. `url` is `ws:` or `wss:`; `way` is asked for at each dial. */
export const webSocketDial =
  (url: string, way: () => Way): Dial =>
  (events) => {
    let isOver = false;
    const over = (fault: string | null) => {
      if (isOver) return;
      isOver = true;
      events.onClosed(fault);
    };
    const socket = new WebSocket(url, way());
    socket.onmessage = ({ data }) => {
      if (!isOver) events.onMessage(data);
    };
    socket.onerror = (event) => over(faultOf(event));
    socket.onclose = () => over(null);
    return {
      send: (text) => {
        socket.send(text);
      },
      close: () => {
        over(null);
        socket.terminate();
      },
    };
  };
