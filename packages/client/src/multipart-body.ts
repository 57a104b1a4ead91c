/** One file and a few texts as multipart/form-data (RFC 7578), streamed, with its exact length known before. */

export type MultipartForm = {
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly fileName: string;
  readonly fileSizeBytes: number;
  readonly openFile: () => ReadableStream<Uint8Array>;
};

export type MultipartBody = {
  readonly headers: Readonly<Record<string, string>>;
  readonly open: () => ReadableStream<Uint8Array>;
};

/** As browsers write names into the header of a part (WHATWG HTML, 4.10.21.8). */
const quoted = (name: string): string =>
  `"${name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')}"`;

const inTurn = (parts: () => AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> => {
  const chunks = parts();
  return new ReadableStream({
    pull: async (controller) => {
      const next = await chunks.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: async () => {
      await chunks.return(undefined);
    },
  });
};

/** `boundary` must not occur in the file: a random one does not. */
export const multipartBody = (form: MultipartForm, boundary: string): MultipartBody => {
  const encoder = new TextEncoder();
  const texts = form.fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name=${quoted(name)}\r\n\r\n${value}\r\n`,
  );
  const fileHead = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename=${quoted(form.fileName)}\r\nContent-Type: application/octet-stream\r\n\r\n`;
  const head = encoder.encode(texts.join('') + fileHead);
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + form.fileSizeBytes + tail.length),
    },
    open: () =>
      inTurn(async function* () {
        yield head;
        yield* form.openFile();
        yield tail;
      }),
  };
};
