/** Builds the web page that the scheduler serves. */
import path from 'node:path';
import { build } from 'vite';

/**
 * Builds `src/ui` to static files: `index.html`, and `assets/` with a hash of the content in each name.
 * @param out the directory of the files
 * @returns the modules that are part of it
 * @throws Error also for a warning: it may be a module of Node, which no browser has
 */
export async function buildPage(root: string, out: string): Promise<string[]> {
  // Vite takes the environment's value before its own: then the page would contain the paths of this machine.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    return await buildStatic(root, out);
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

async function buildStatic(root: string, out: string): Promise<string[]> {
  const modules: string[] = [];
  await build({
    root: path.join(root, 'src/ui'),
    base: '/ui/',
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      outDir: out,
      emptyOutDir: false,
      target: 'es2022',
      // Data in addresses would need an exception from the page's Content-Security-Policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: {
        // A busy machine is no reason to fail.
        checks: { pluginTimings: false },
        onwarn(warning) {
          // On a busy machine, the build itself is slow.
          if (warning.code !== 'PLUGIN_TIMINGS') throw new Error(warning.message);
        },
      },
    },
    plugins: [
      {
        name: 'list-modules',
        generateBundle: (_options, bundle) => {
          for (const part of Object.values(bundle))
            if (part.type === 'chunk') modules.push(...part.moduleIds);
        },
      },
    ],
  });
  return modules;
}
