import fc from 'fast-check';
import { agree, outcomeOf } from '../agree.ts';
import { CALLER_NAMES, type CallerName } from '../system.ts';
import { answerTo, isServed, type Step, step } from './step.ts';

/** Names that come and go in the library. */
export const NAMES = ['a.sh', 'b.sh', 'tool.bin'] as const;
const ROLES = ['Library.Manage'] as const;

const caller = fc.constantFrom<CallerName>('librarian', 'analyst', ...CALLER_NAMES);
const name = fc.constantFrom(...NAMES);

const upload = (by: CallerName, file: string, override: boolean): Step =>
  step({
    text: `${by} uploads ${file}${override ? ', over what is there' : ''}`,
    run: async (site, { callers }) => {
      const outcome = site.library.has(file) && !override ? '400 BadRequest' : '200';
      const fields = override ? { OverrideIfExists: 'true' } : {};
      const answer = await callers[by].upload(file, `content of ${file}`, fields);
      if (isServed('upload', outcomeOf(answer), answerTo(by, ROLES, outcome))) site.library.set(file, by);
    },
  });

const uploadBadName = (by: CallerName): Step =>
  step({
    text: `${by} uploads a file with a bad name`,
    run: async (_, { callers }) => {
      const answer = await callers[by].upload('con', 'content');
      agree('upload of a bad name', outcomeOf(answer), answerTo(by, ROLES, '400 InvalidInput'));
    },
  });

const remove = (by: CallerName, file: string): Step =>
  step({
    text: `${by} deletes ${file}`,
    run: async (site, { callers }) => {
      const outcome = site.library.has(file) ? '204' : '404 ResourceNotFound';
      const answer = await callers[by].call(`/api/libraryfiles/${file}`, { method: 'DELETE' });
      if (isServed('delete', outcomeOf(answer), answerTo(by, ROLES, outcome))) site.library.delete(file);
    },
  });

export const librarySteps: readonly fc.Arbitrary<Step>[] = [
  fc.tuple(caller, name, fc.boolean()).map(([by, file, override]) => upload(by, file, override)),
  fc.tuple(caller, name, fc.boolean()).map(([by, file, override]) => upload(by, file, override)),
  caller.map(uploadBadName),
  fc.tuple(caller, name).map(([by, file]) => remove(by, file)),
];
