/* Changing a running world from inside: a request is one message on a socket in the lab's own directory, the
 * answer another, empty when it was done. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/lab_inside.h"

#define REQUEST_MAX 1024

/* Beside the data of the world; false: this process is in no lab. */
static bool socket_path(struct sockaddr_un *address)
{
	const char *directory = getenv("RETOUR_DATA");
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int length = directory
		? snprintf(address->sun_path, sizeof(address->sun_path), "%s/control", directory)
		: -1;
	return length > 0 && (size_t)length < sizeof(address->sun_path);
}

int lab_control_open(struct lab *lab)
{
	struct sockaddr_un address;
	lab->control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (lab->control < 0 || !socket_path(&address) ||
		bind(lab->control, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		chmod(address.sun_path, 0777) < 0 || listen(lab->control, 8) < 0)
		return error_set(
			lab->error, -errno, "cannot make the lab's control socket: %s", strerror(errno));
	return lab_watch(lab, lab->control, LAB_CONTROL, 0);
}

void lab_control_accept(struct lab *lab)
{
	int fd = accept4(lab->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0 && lab_watch(lab, fd, LAB_REQUEST, (uint32_t)fd) < 0)
		close(fd);
}

/* "link A B STATE", cut up. */
static int change_link(struct lab *lab, const char *a, const char *b, const char *word, struct error *error)
{
	static const char *const words[] = {
		[LINK_UP] = "up", [LINK_DOWN] = "down", [LINK_AVOIDED] = "reroute"};
	const struct world *world = lab->options->world;
	uint32_t from = world_find_node(world, a), to = world_find_node(world, b);
	uint32_t interface =
		from == WORLD_NONE || to == WORLD_NONE ? WORLD_NONE : world_interface_to(world, from, to);
	if (interface == WORLD_NONE)
		return error_set(error, -EINVAL, "no link between '%s' and '%s'", a, b);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i]) == 0) {
			sim_set_link(lab->sim, interface / 2, (enum link_state)i);
			return 0;
		}
	return error_set(error, -EINVAL, "'%s': expected up, down or reroute", word);
}

static int obey(struct lab *lab, char *request, struct error *error)
{
	char *words[5] = {NULL}, *rest = NULL;
	size_t count = 0;
	for (char *word = strtok_r(request, " ", &rest); word && count < ARRAY_LEN(words);
		word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	if (count != 4 || strcmp(words[0], "link") != 0)
		return error_set(error, -EINVAL, "expected `link A B up|down|reroute`");
	return change_link(lab, words[1], words[2], words[3], error);
}

void lab_control_answer(struct lab *lab, int fd)
{
	char request[REQUEST_MAX + 1];
	struct error error = {0};
	ssize_t got = recv(fd, request, REQUEST_MAX, 0);
	if (got > 0) {
		request[got] = '\0';
		if (obey(lab, request, &error) == 0)
			error.text[0] = '\0';
		(void)send(fd, error.text, strlen(error.text) + 1, MSG_NOSIGNAL);
	}
	close(fd);
}

int lab_control(const char *request, struct error *error)
{
	struct sockaddr_un address;
	char answer[sizeof(error->text)] = "";
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || !socket_path(&address) ||
		connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (fd >= 0)
			close(fd);
		return error_set(error, -ENOENT,
			"this is no lab; links are changed from inside one (retour lab shell)");
	}
	bool answered = send(fd, request, strlen(request), MSG_NOSIGNAL) >= 0 &&
		recv(fd, answer, sizeof(answer) - 1, 0) > 0;
	close(fd);
	if (!answered)
		return error_set(error, -EIO, "the lab does not answer");
	return answer[0] ? error_set(error, -EINVAL, "%s", answer) : 0;
}
