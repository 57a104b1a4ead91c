/** Multipart uploads, streamed: one file part goes to its taker as it arrives, small text parts are kept. */
import { Readable } from 'node:stream';
import { Busboy } from '@fastify/busboy';
import { Refusal } from '@longarm/contract/errors';

/** Bytes of one text part, and how many parts. */
const FIELD_BYTES = 65_536;
const PARTS = 32;

export type TakeFile<Taken> = (file: {
  readonly part: string;
  readonly name: string;
  readonly body: ReadableStream<Uint8Array>;
}) => Promise<Taken>;

export type Form<Taken> = {
  /** Text parts by lower-case name; the last of a name counts. */
  readonly fields: ReadonlyMap<string, string>;
  readonly file: { readonly name: string; readonly taken: Taken } | null;
};

const parserFor = (request: Request): InstanceType<typeof Busboy> => {
  const contentType = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data/i.test(contentType)) {
    throw new Refusal(
      'InvalidRequestBody',
      `Expected a multipart/form-data body, got ${contentType === '' ? 'no Content-Type' : contentType}.`,
    );
  }
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      preservePath: true,
      limits: { fieldSize: FIELD_BYTES, parts: PARTS, files: 1, fieldNameSize: 200 },
    });
  } catch {
    throw new Refusal('InvalidRequestBody', 'Expected a multipart/form-data body with a boundary, got none.');
  }
};

const asWebStream = (stream: Readable): ReadableStream<Uint8Array> =>
  Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array>;

/** Takes a text part, or says why not: what is too long is never cut in silence. */
const keepField = (
  fields: Map<string, string>,
  field: { readonly name: string; readonly value: string; readonly isCut: boolean },
) => {
  if (field.isCut)
    throw new Refusal('InvalidInput', `${field.name}: expected at most ${FIELD_BYTES} bytes in a text part, got more.`);
  fields.set(field.name.toLowerCase(), field.value);
};

const brokenBody = (fault: unknown): Refusal =>
  new Refusal(
    'InvalidRequestBody',
    `The multipart body is broken: ${fault instanceof Error ? fault.message : String(fault)}.`,
  );

/** Resolves when everything was read and taken; a broken body or a taker's refusal rejects, and nothing goes on. */
export const readForm = <Taken>(request: Request, take: TakeFile<Taken>): Promise<Form<Taken>> => {
  const parser = parserFor(request);
  const { promise, resolve, reject } = Promise.withResolvers<Form<Taken>>();
  const fields = new Map<string, string>();
  let file: Promise<{ readonly name: string; readonly taken: Taken }> | null = null;
  let fileBody: Readable | null = null;
  const body =
    request.body === null
      ? Readable.from([])
      : Readable.fromWeb(request.body as import('node:stream/web').ReadableStream);
  const fail = (fault: unknown) => {
    body.unpipe(parser);
    body.destroy();
    // or its taker would wait for the rest for ever; it has put away what it had when the caller hears of it
    fileBody?.destroy(new Error('the rest of the body was not read'));
    Promise.allSettled([file]).then(() => reject(fault));
  };
  parser.on('field', (...field: [name: string, value: string, isNameCut: boolean, isValueCut: boolean]) => {
    const [name, value, isNameCut, isValueCut] = field;
    try {
      keepField(fields, { name, value, isCut: isNameCut || isValueCut });
    } catch (fault) {
      fail(fault);
    }
  });
  parser.on('file', (part: string, stream: Readable, name: string | undefined) => {
    fileBody = stream;
    file = take({ part, name: name ?? '', body: asWebStream(stream) }).then((taken) => ({ name: name ?? '', taken }));
    file.catch(fail);
  });
  parser.on('filesLimit', () => fail(new Refusal('InvalidInput', 'Expected one file in the body, got several.')));
  parser.on('partsLimit', () =>
    fail(new Refusal('InvalidInput', `Expected at most ${PARTS} parts in the body, got more.`)),
  );
  parser.on('error', (fault: unknown) => fail(brokenBody(fault)));
  parser.on('finish', () => {
    const settled: Promise<Form<Taken>> = Promise.resolve(file).then((known) => ({ fields, file: known }));
    settled.then(resolve, fail);
  });
  body.on('error', fail);
  body.pipe(parser);
  return promise;
};
