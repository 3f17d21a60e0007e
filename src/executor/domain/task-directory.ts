/**
 * A task's id as the name of a file: letters, digits, `_`, `.` and `-` stay, every other byte becomes `%XX`, and so
 * does a leading dot, so that no id can leave its directory. Different ids have different names.
 */
export function taskFileName(taskId: string): string {
  const name = Array.from(Buffer.from(taskId, 'utf8'), (byte, i) => {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_-]/.test(character) || (character === '.' && i > 0);
    return plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
  return name === '' ? '%' : name;
}
