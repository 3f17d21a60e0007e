/** Images of tasks that behave well or badly, built from the image of busybox. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { BUSYBOX, makeTestImages } from './busybox-image.ts';

/** The Dockerfile of each image, without its first line. `sh` is the shell of busybox. */
const DOCKERFILES = {
  /** Serves `index.html` with the text `hello` on port 80. */
  web: `
    EXPOSE 80
    CMD ["/bin/sh", "-c", "busybox mkdir /www; echo hello > /www/index.html; exec busybox httpd -f -p 80 -h /www"]`,
  /** Prints `ready`, and ignores SIGTERM. */
  stubborn: `
    CMD ["/bin/sh", "-c", "trap 'echo ignored' TERM; echo ready; while :; do sleep 0.1; done"]`,
  /** Prints `ready`, and ends with status 7 at SIGUSR1, its stop signal. Ignores SIGTERM. */
  stopsignal: `
    STOPSIGNAL SIGUSR1
    CMD ["/bin/sh", "-c", "trap '' TERM; trap 'exit 7' USR1; echo ready; while :; do sleep 0.1; done"]`,
  /** Takes memory until it is killed. */
  hungry: `
    CMD ["/bin/sh", "-c", "x=x; while :; do x=$x$x; done"]`,
  /** Writes numbered lines to stdout as fast as it can. */
  flood: `
    CMD ["/bin/busybox", "seq", "1", "1000000000000"]`,
  /** Starts processes that end and are never waited for, 100 a second, and prints their number. */
  zombies: `
    CMD ["/bin/sh", "-c", "i=0; while :; do ( ( true & ) & ) ; i=$((i+1)); echo $i; sleep 0.01; done"]`,
  /** Ends at once with status 3 and words on stderr, with terminal colours and 20 lines. */
  fails: `
    CMD ["/bin/sh", "-c", "echo out; for i in $(seq 1 19); do echo line $i >&2; done; printf '\\\\033[31mno database\\\\033[0m\\\\n' >&2; exit 3"]`,
  /** Its entry point does not exist. */
  noentry: `
    ENTRYPOINT ["/no/such/program"]`,
} as const;

export type TaskImage = keyof typeof DOCKERFILES;

/** Changes with the Dockerfiles, so that an image of another version is not taken. */
const VERSION = 1;

export function taskImage(name: TaskImage): string {
  return `mesosup-test/${name}:${VERSION}`;
}

/** Builds the images that do not exist yet. */
export async function makeTaskImages(...names: TaskImage[]): Promise<void> {
  await makeTestImages();
  for (const name of names) {
    const { exitCode } = await execa('docker', ['image', 'inspect', taskImage(name)], {
      reject: false,
      stdout: 'ignore',
    });
    if (exitCode === 0) continue;
    const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-image-'));
    try {
      await writeFile(path.join(directory, 'Dockerfile'), `FROM ${BUSYBOX}\n${DOCKERFILES[name]}\n`);
      await execa('docker', ['build', '--quiet', '--tag', taskImage(name), directory], {
        env: { DOCKER_BUILDKIT: '0' },
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}
