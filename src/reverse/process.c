#include "reverse/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What it started may outlive it and hold its output open (a shared ssh connection does). */
#define LINGER_MS 300

static void on_closed(uv_handle_t *handle)
{
	struct process *process = handle->data;
	if (--process->open == 0)
		process->ops->ended(process);
}

static void close_one(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

static void close_all(struct process *process)
{
	if (process->tried)
		close_one((uv_handle_t *)&process->handle);
	close_one((uv_handle_t *)&process->out);
	close_one((uv_handle_t *)&process->err);
	close_one((uv_handle_t *)&process->linger);
}

void process_kill(struct process *process)
{
	/* While it was not waited for its number is its own; it leads a group and a session of that number.
	 * The loop may not run long enough to hear of its end, which comes at once. */
	if (process->spawned && !uv_is_closing((uv_handle_t *)&process->handle)) {
		kill(-process->handle.pid, SIGKILL);
		waitpid(process->handle.pid, NULL, 0);
	}
	process->killed = true;
	close_all(process);
}

static void close_when_over(struct process *process)
{
	if (uv_is_closing((uv_handle_t *)&process->handle) && uv_is_closing((uv_handle_t *)&process->out) &&
		uv_is_closing((uv_handle_t *)&process->err))
		close_one((uv_handle_t *)&process->linger);
}

/* ---- what it says */

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	(void)handle;
	*buffer = uv_buf_init(malloc(suggested), (unsigned)suggested);
	if (!buffer->base)
		buffer->len = 0;
}

static void append_output(struct process *process, const char *bytes, size_t length)
{
	size_t taken = MIN(length, process->limit - process->length);
	char *larger = realloc(process->output, process->length + taken + 1);
	if (!larger) {
		process->error = -ENOMEM;
		process_kill(process);
		return;
	}
	process->output = larger;
	memcpy(larger + process->length, bytes, taken);
	process->length += taken;
	larger[process->length] = '\0';
	if (process->ops->output)
		process->ops->output(process);
	if (taken < length) {
		process->cut = true;
		process_kill(process);
	}
}

static void append_errors(struct process *process, const char *bytes, size_t length)
{
	size_t taken = MIN(length, PROCESS_ERRORS_MAX - process->errors_length);
	for (size_t i = 0; i < taken; i++)
		process->errors[process->errors_length++] = bytes[i] ? bytes[i] : ' ';
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct process *process = stream->data;
	bool output = stream == (uv_stream_t *)&process->out;
	if (got < 0)
		close_one((uv_handle_t *)stream);
	else if (!uv_is_closing((uv_handle_t *)stream))
		(output ? append_output : append_errors)(process, buffer->base, (size_t)got);
	free(buffer->base);
	if (got < 0)
		close_when_over(process);
}

/* ---- its life */

static void on_linger(uv_timer_t *timer)
{
	close_all(timer->data);
}

static void on_exit_of(uv_process_t *handle, int64_t status, int signal)
{
	struct process *process = handle->data;
	process->exit_status = status;
	process->exit_signal = signal;
	close_one((uv_handle_t *)handle);
	if (!uv_is_closing((uv_handle_t *)&process->linger))
		uv_timer_start(&process->linger, on_linger, LINGER_MS, 0);
	close_when_over(process);
}

/* A file without a name that holds `text`: unlike a pipe nobody has to be there to fill it. */
static int text_file(const char *text)
{
	size_t length = strlen(text);
	int fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, length) != (ssize_t)length || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static int spawn(struct process *process, uv_loop_t *loop, char **argv, int input_fd)
{
	uv_stdio_container_t stdio[3] = {
		{.flags = input_fd < 0 ? UV_IGNORE : UV_INHERIT_FD, .data.fd = input_fd},
		{.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE),
			.data.stream = (uv_stream_t *)&process->out},
		{.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE),
			.data.stream = (uv_stream_t *)&process->err},
	};
	uv_process_options_t options = {
		.exit_cb = on_exit_of,
		.file = argv[0],
		.args = argv,
		.flags = UV_PROCESS_DETACHED, /* setsid: no terminal, and a group of its own */
		.stdio = stdio,
		.stdio_count = 3,
	};
	int result = uv_spawn(loop, &process->handle, &options);
	if (result < 0)
		return result;
	process->spawned = true;
	result = uv_read_start((uv_stream_t *)&process->out, allocate, on_read);
	return result < 0 ? result : uv_read_start((uv_stream_t *)&process->err, allocate, on_read);
}

void process_start(struct process *process, uv_loop_t *loop, char **argv, const char *input,
	size_t output_limit, const struct process_ops *ops, void *context)
{
	*process = (struct process){.context = context, .ops = ops, .limit = output_limit};
	uv_pipe_init(loop, &process->out, 0);
	uv_pipe_init(loop, &process->err, 0);
	uv_timer_init(loop, &process->linger);
	int input_fd = input ? text_file(input) : -1;
	int result = input && input_fd < 0 ? input_fd : 0;
	process->tried = result == 0; /* from then on the handle has to be closed, whatever comes of it */
	process->open = process->tried ? 4 : 3;
	if (result == 0)
		result = spawn(process, loop, argv, input_fd);
	process->handle.data = process->out.data = process->err.data = process->linger.data = process;
	if (input_fd >= 0)
		close(input_fd);
	if (result < 0) {
		process->error = result;
		process_kill(process);
	}
}

void process_deinit(struct process *process)
{
	free(process->output);
	process->output = NULL;
}
