/** Debian's Chromium, without a screen, for tests of the pages. Absent where scripts/chromium/setup did not put it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';

/** Says so where there is none: silence would look like success. */
export const hasChromium = (file: string): boolean => {
  if (existsSync(PROGRAM)) return true;
  console.log(`${file}: skipped, since there is no ${PROGRAM} (scripts/chromium/setup)`);
  return false;
};

/** A profile of its own, empty; nothing that a browser does by itself on the network. */
export const openChromium = (more: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: PROGRAM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });

/** A security key that is touched as soon as it is asked; it works on this page alone. */
export const plugInKey = async (page: Page) => {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'usb', automaticPresenceSimulation: true },
  });
  return {
    unplug: () => devtools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
    credentials: async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
  };
};

const WIDTHS = [1280, 400] as const;

/** Pictures of the page as it is, for people to look at: in the folder LONGARM_SCREENSHOTS, where that is given. */
export const picture = async (page: Page, name: string): Promise<void> => {
  const folder = process.env.LONGARM_SCREENSHOTS;
  if (folder === undefined) return;
  const size = page.viewportSize();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    await page.screenshot({ path: join(folder, `${name}-${width}.png`), fullPage: true });
  }
  if (size !== null) await page.setViewportSize(size);
};
