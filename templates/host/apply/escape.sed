# Makes a line safe for the inside of a JSON string: escapes control characters, and cuts it after 4000 bytes.
# Bytes that are not UTF-8 stay; the reader of the line replaces them. A line feed ends a line, and is escaped where
# lines are joined.
s/^\(.\{4000\}\).*/\1/
s/[\\"]/\\&/g
s/\x00/\\u0000/g
s/\x01/\\u0001/g
s/\x02/\\u0002/g
s/\x03/\\u0003/g
s/\x04/\\u0004/g
s/\x05/\\u0005/g
s/\x06/\\u0006/g
s/\x07/\\u0007/g
s/\x08/\\b/g
s/\x09/\\t/g
s/\x0b/\\u000b/g
s/\x0c/\\f/g
s/\x0d/\\r/g
s/\x0e/\\u000e/g
s/\x0f/\\u000f/g
s/\x10/\\u0010/g
s/\x11/\\u0011/g
s/\x12/\\u0012/g
s/\x13/\\u0013/g
s/\x14/\\u0014/g
s/\x15/\\u0015/g
s/\x16/\\u0016/g
s/\x17/\\u0017/g
s/\x18/\\u0018/g
s/\x19/\\u0019/g
s/\x1a/\\u001a/g
s/\x1b/\\u001b/g
s/\x1c/\\u001c/g
s/\x1d/\\u001d/g
s/\x1e/\\u001e/g
s/\x1f/\\u001f/g
