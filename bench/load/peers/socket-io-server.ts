/**
 * The Socket.IO server of the load bench, a process of its own. Its argument is the port. A client says
 * in its connect packet who it is, and whether messages are sent to it.
 */
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const port = Number(process.argv[2]);
const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false, perMessageDeflate: false });

io.on('connection', (socket) => {
  const { user, receives } = socket.handshake.auth as { user: number; receives: boolean };
  void socket.join(`u${user}`);
  if (receives) void socket.join('group');
  socket.on('user', (to: number, text: string) => io.to(`u${to}`).emit('message', text));
  socket.on('group', (text: string) => io.to('group').emit('message', text));
});

http.listen({ port, host: '127.0.0.1', backlog: 4_096 });
