/** A body of a server that nobody vouches for yet: read as text, up to a bound, whatever it sends. */
export const readText = async (answer: Response, maxBytes: number): Promise<string> => {
  if (answer.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  const reader = answer.body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.length;
    text += decoder.decode(read.value, { stream: true });
    if (bytes > maxBytes) {
      await reader.cancel();
      break;
    }
  }
  return text;
};
