/**
 * Converts a task's id into a file name. Letters, digits, `_`, `.` and `-` stay; every other byte and a leading dot
 * become `%XX`, so that no id can point outside its directory. Different ids yield different names.
 */
export function taskFileName(taskId: string): string {
  const name = Array.from(Buffer.from(taskId, 'utf8'), (byte, i) => {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_-]/.test(character) || (character === '.' && i > 0);
    return plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
  return name === '' ? '%' : name;
}
