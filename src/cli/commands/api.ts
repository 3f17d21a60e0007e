import { Args, Flags } from '@oclif/core';
import { ApiError } from '../../client/api-error.ts';
import { EXIT, UsageError } from '../../errors/mesosup-error.ts';
import { ApiCommand } from '../api-command.ts';
import { readFileArgument } from '../file-argument.ts';
import { writeOut } from '../write-out.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'];

export default class Api extends ApiCommand {
  static override summary = "Send a request to a cluster's API.";
  static override description =
    'Adds the credentials of the context, and uses another scheduler when one does not answer. Prints the body of the answer as it arrives. Exits with 1 when the request is refused.';
  static override examples = [
    '<%= config.bin %> api GET /v2/info',
    '<%= config.bin %> api GET "/v2/apps?embed=apps.tasks"',
    '<%= config.bin %> api POST /v2/apps -d @app.json',
    'echo \'{"instances": 3}\' | <%= config.bin %> api PUT /v2/apps/web -d -',
  ];
  static override args = {
    method: Args.string({
      description: 'The method.',
      required: true,
      ignoreStdin: true,
    }),
    path: Args.string({ description: 'The path, with its query.', required: true, ignoreStdin: true }),
  };
  static override flags = {
    data: Flags.string({
      char: 'd',
      summary: 'The body: JSON, or @FILE, or - for standard input.',
      helpValue: 'JSON|@FILE|-',
    }),
    accept: Flags.string({
      default: 'application/json, */*;q=0.5',
      summary: 'The accepted media types, for example text/plain or text/event-stream.',
      helpValue: 'TYPES',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Api);
    const method = args.method.toUpperCase();
    if (!METHODS.includes(method)) {
      throw new UsageError(`"${args.method}" is not a method of the API: use ${METHODS.join(', ')}`);
    }
    if (!args.path.startsWith('/')) {
      throw new UsageError(`the path "${args.path}" must begin with "/", for example /v2/apps`);
    }
    const body = flags.data === undefined ? undefined : await bodyOf(flags.data);
    const { client } = await this.connect(flags);
    const response = await client.send({
      method,
      path: args.path,
      headers: { Accept: flags.accept },
      ...(body !== undefined && { body }),
    });
    const ended = await writeOut(response).catch((error: unknown) => {
      throw interrupted(client.url, error);
    });
    if (process.stdout.isTTY && !ended.endsWith('\n') && ended !== '') process.stdout.write('\n');
    if (response.ok) return;
    this.logToStderr(`${client.url} answered ${response.status} ${response.statusText}`.trimEnd());
    process.exitCode = EXIT.failed;
  }
}

/** Node's errors name no server. An error of standard output is not about the answer. */
function interrupted(url: string, error: unknown): unknown {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === 'write') return error;
  return new ApiError(`the answer of ${url} was interrupted: ${message}`, {
    remedy: 'Send the request again.',
  });
}

async function bodyOf(data: string): Promise<string | Uint8Array<ArrayBuffer>> {
  if (data !== '-' && !data.startsWith('@')) return data;
  return new Uint8Array(await readFileArgument(data.replace(/^@/, '')));
}
