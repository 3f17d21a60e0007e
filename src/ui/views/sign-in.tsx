import { useEffect, useRef, useState } from 'preact/hooks';
import { errorText, isStatus } from '../live/api.ts';
import { signIn } from '../session.ts';

export function SignIn() {
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const user = useRef<HTMLInputElement>(null);
  useEffect(() => user.current?.focus(), []);
  const submit = async (form: HTMLFormElement) => {
    const values = new FormData(form);
    setBusy(true);
    try {
      await signIn(String(values.get('user')), String(values.get('password')));
    } catch (error) {
      setProblem(isStatus(error, 401) ? 'The user or the password is wrong.' : errorText(error));
      setBusy(false);
      form.querySelector<HTMLInputElement>('[name=password]')?.select();
    }
  };
  return (
    <main class="sign-in" id="content">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <h1>Sign in</h1>
        <p class="faint">to the scheduler at {location.host}</p>
        <label>
          User
          <input
            name="user"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            ref={user}
          />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        {problem !== undefined && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? 'Signing in …' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
