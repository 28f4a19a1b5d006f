/* SPDX-License-Identifier: Apache-2.0
 * echo INTERFACE - send every frame of EtherType 0x88b5 (IEEE 802 local experimental) that comes in on the interface back as it is.
 * The wire's end for tests/guest/driver. Ends by a signal, or with the interface. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECHO_TYPE 0x88b5

int main(int argc, char **argv)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ECHO_TYPE) };
	static uint8_t frame[16384];
	int fd, size = 4 << 20;
	ssize_t n;

	if (argc != 2 || !(at.sll_ifindex = (int)if_nametoindex(argv[1]))) {
		fprintf(stderr, "usage: echo INTERFACE\n");
		return 2;
	}
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ECHO_TYPE));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		perror("echo");
		return 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	printf("echo: %s ready\n", argv[1]);
	fflush(stdout);
	while ((n = recv(fd, frame, sizeof(frame), 0)) > 0) {
		if (send(fd, frame, (size_t)n, 0) != n)
			perror("echo: send");
	}
	return 0;
}
