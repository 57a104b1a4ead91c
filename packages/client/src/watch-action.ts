/** An action as it changes. */
import { ActionEntity } from '@longarm/contract/action';
import { ENDPOINTS } from '@longarm/contract/rest/index';
import { parseAnswer } from './unexpected-answer.ts';
import { type WatchIo, type WatchOptions, watchEvents } from './watch-events.ts';

/** Yields the whole entity at once and after each change, and ends when the action is final in effect. */
export async function* watchAction(
  io: WatchIo,
  id: string,
  options: WatchOptions = {},
): AsyncGenerator<ActionEntity, void> {
  for await (const { event, data } of watchEvents(
    io,
    { endpoint: ENDPOINTS.watchMachineAction, path: { id } },
    options,
  )) {
    if (event === 'action') yield parseAnswer(ActionEntity, JSON.parse(data), 'the event stream');
  }
}
