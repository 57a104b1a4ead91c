/** What cannot be saved: bash starts and ends, and two facts reach the disk. */
import { Database } from 'bun:sqlite';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const SCRIPT = 'echo "hello from $LONGARM_COMMAND_INDEX"\n';

export const localStart = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-local-'));
  const script = join(folder, 'hello.sh');
  await writeFile(script, SCRIPT);
  const database = new Database(join(folder, 'facts.sqlite'), { create: true });
  database.run('pragma journal_mode = wal');
  database.run('pragma synchronous = full');
  database.run('create table facts (id integer primary key, text text)');
  const insert = database.prepare('insert into facts (text) values (?)');
  return {
    /** Milliseconds of one run. */
    run: async (): Promise<number> => {
      const began = performance.now();
      insert.run('requested');
      const child = Bun.spawn(['bash', script], { cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
      const [output] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      insert.run(output);
      return performance.now() - began;
    },
    close: async () => {
      insert.finalize();
      database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
