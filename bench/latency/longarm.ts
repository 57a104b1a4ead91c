/** The whole way of one script, as a caller goes it: POST, events until it has ended, link, download. */
import { openSite, runScript } from '@longarm/testkit/test-site';
import { SCRIPT } from './local-start.ts';

export const STEPS = [
  'accepted (POST answered)',
  'on the device, until the script starts',
  'the script',
  'its output comes back, and the caller knows',
  'link',
  'download',
] as const;
export type Steps = Readonly<Record<(typeof STEPS)[number], number>>;

type Ended = { readonly status: string; readonly commands: readonly { startTime: string; endTime: string }[] };

/** The action as it ended, from its events; the connection is let go. */
const ended = async (response: Response): Promise<Ended> => {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const [, data = ''] of events.map((event) => /^event: action\ndata: (.*)$/.exec(event) ?? [])) {
      const action: Ended | null = data === '' ? null : JSON.parse(data);
      if (action?.status === 'Succeeded') return action;
      if (action?.status === 'Failed') throw new Error(data);
    }
  }
  throw new Error('the events ended before the action did');
};

const clock = () => performance.timeOrigin + performance.now();

export const measureLongarm = async (flags: readonly string[] = []) => {
  const site = await openSite(flags);
  const agent = await site.agent();
  await site.api.upload('hello.sh', SCRIPT);
  const headers = { authorization: `Bearer ${site.api.token}` };
  return {
    run: async (): Promise<{ readonly wholeMs: number; readonly steps: Steps }> => {
      const began = clock();
      const { json } = await site.run(agent.machineId, [runScript('hello.sh')]);
      if (typeof json?.id !== 'string') throw new Error(JSON.stringify(json));
      const accepted = clock();
      const away = new AbortController();
      const events = await fetch(`${site.url}/api/machineactions/${json.id}/events`, {
        headers,
        signal: away.signal,
      });
      const { commands } = await ended(events);
      const known = clock();
      away.abort();
      const link = await site.api.call(`/api/machineactions/${json.id}/GetLiveResponseResultDownloadLink(index=0)`);
      const linked = clock();
      const result = await (await fetch(link.json.value)).text();
      if (!result.includes('hello from 0')) throw new Error(result);
      const whole = clock();
      const [command] = commands;
      const [start, end] = [Date.parse(command?.startTime ?? ''), Date.parse(command?.endTime ?? '')];
      // the device's clock is this one; it tells whole milliseconds
      const steps: Steps = {
        'accepted (POST answered)': accepted - began,
        'on the device, until the script starts': start - accepted,
        'the script': end - start,
        'its output comes back, and the caller knows': known - end,
        link: linked - known,
        download: whole - linked,
      };
      return { wholeMs: whole - began, steps };
    },
    close: site.close,
  };
};
