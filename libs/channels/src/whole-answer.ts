/** A page of a hundred comments, each as long as they may be, with all that GitHub tells about their writers. */
const bytesMax = 16_777_216;

/**
 * An answer that is all there and is JSON, as Slack and GitHub answer when they have done something: a proxy's page under
 * 200, or a line that broke, would else be taken for an answer with nothing in it. No more than the bound is ever held.
 */
export async function wholeAnswer(answer: Response): Promise<Response> {
  if (answer.body === null) return answer;
  const { status, headers } = answer;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of answer.body) {
    bytes += piece.byteLength;
    if (bytes > bytesMax) throw new Error(`expected at most ${bytesMax} bytes, got more`);
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString();
  if (answer.ok) JSON.parse(text);
  return new Response(text, { status, headers });
}
