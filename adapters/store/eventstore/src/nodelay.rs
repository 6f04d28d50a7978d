//! `TCP_NODELAY` for the client's connections, which the client does not set and gives no way to.
//!
//! Without it every call waits some 40 ms: a call is two small packets, the second of which is held back until the first
//! is acknowledged, and the server's machine delays that. So, once a client has connected, the option is set on this
//! process's sockets: a number of each is listed under `/proc/self/fd`, and a message to ourselves over a pair of
//! sockets makes a second descriptor of it that can be held safely. The option is right for every socket of the program
//! (its HTTP clients set it themselves), and nothing else is done with them. Where there is no `/proc`, calls are slow.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, SocketType, recvmsg,
    socketpair, sockopt,
};

/// Sets the option on every TCP socket of this process; how many there are.
pub(crate) fn set_everywhere() -> std::io::Result<usize> {
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    let mut set = 0;
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let is_socket = std::fs::read_link(entry.path())
            .is_ok_and(|target| target.to_string_lossy().starts_with("socket:"));
        let number: Option<RawFd> = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // One that was closed meanwhile is gone; one that is no TCP socket does not know the option.
        if let Some(number) = number
            && is_socket
            && let Ok(Some(socket)) = second(&ours, &theirs, number)
            && sockopt::set_tcp_nodelay(&socket, true).is_ok()
        {
            set += 1;
        }
    }
    Ok(set)
}

/// A second descriptor of what one of our descriptors is about.
fn second(ours: &OwnedFd, theirs: &OwnedFd, number: RawFd) -> std::io::Result<Option<OwnedFd>> {
    let byte = [IoSlice::new(b".")];
    let message = [ControlMessage::ScmRights(&[number])];
    sendmsg::<()>(ours.as_raw_fd(), &byte, &message, MsgFlags::MSG_DONTWAIT, None)?;
    let mut one = [0_u8];
    let mut into = [IoSliceMut::new(&mut one)];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    recvmsg(
        theirs,
        &mut into,
        &mut control,
        RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
    )?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut descriptors) = message {
            return Ok(descriptors.next());
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_option_is_set_on_a_connection_that_lacks_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(!connection.nodelay().unwrap());
        assert!(set_everywhere().unwrap() >= 1);
        assert!(connection.nodelay().unwrap());
    }
}
