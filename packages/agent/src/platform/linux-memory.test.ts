import { expect, test } from 'bun:test';
import { codeMappings } from './linux-memory.ts';

test('only code of files is given back: no data, nothing writable, nothing without a file', () => {
  const maps = [
    '00400000-00452000 r-xp 00000000 08:02 173521  /usr/bin/dbus daemon',
    '00651000-00652000 r--p 00051000 08:02 173521  /usr/bin/dbus daemon',
    '00652000-00655000 rw-p 00052000 08:02 173521  /usr/bin/dbus daemon',
    '35b1800000-35b1820000 r-xp 00000000 00:00 0 ',
    '35b1820000-35b1830000 rwxp 00000000 08:02 1  /made/on/the/fly',
    '7fff6d000000-7fff6d021000 r-xp 00000000 00:00 0  [vdso]',
  ].join('\n');
  expect(codeMappings(maps)).toEqual([{ start: 0x400000n, length: 0x52000n }]);
});

test.if(process.platform === 'linux')('the process goes on, with less memory', async () => {
  const module = new URL('./linux-memory.ts', import.meta.url).pathname;
  const script = `
    import { readFileSync } from 'node:fs';
    import { memoryTrimmer } from '${module}';
    const resident = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    const trim = memoryTrimmer();
    trim();
    const before = resident();
    JSON.parse(JSON.stringify({ a: [1, 2, 3] }));
    trim();
    console.log(resident() <= before && [3, 1, 2].sort().join() === '1,2,3' && /b+/.test('abbb') ? 'well' : 'ill');
  `;
  const child = Bun.spawn([process.execPath, '--no-install', '-e', script], { stdout: 'pipe', stderr: 'inherit' });
  expect(await child.stdout.text()).toBe('well\n');
  expect(await child.exited).toBe(0);
});
