//! Methods of a layer's stream that are those of the stream beneath.

/// Passes methods of [`Life`](crate::Life) and of tokio's `AsyncWrite` on to a field.
///
/// `peer` passes on `pending`, too.
///
/// A layer's stream changes few of them. One that it leaves out has the trait's default, with which nothing is known of the
/// peer, or a WebSocket beneath answers no pings while nothing is read.
///
/// ```
/// # use std::{io, task::{Context, Poll}};
/// use endpoint::{ByteStream, End, Life, pass_on};
///
/// struct Counted {
///     inner: Box<dyn ByteStream>,
///     ends: u32,
/// }
///
/// impl Life for Counted {
///     pass_on!(inner: poll_background, poll_ahead, peer, keep_little, linger);
///     pass_on!(inner: abort, poll_close, close_timeout, ending, end, raw);
///
///     fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
///         self.ends += 1;
///         self.inner.poll_finish(cx, end)
///     }
/// }
/// ```
#[macro_export]
macro_rules! pass_on {
    // === Life ===
    (@poll_background $field:tt) => {
        fn poll_background(
            &mut self,
            cx: &mut ::core::task::Context<'_>,
        ) -> ::core::task::Poll<::std::io::Error> {
            self.$field.poll_background(cx)
        }
    };
    (@poll_ahead $field:tt) => {
        fn poll_ahead(&mut self, cx: &mut ::core::task::Context<'_>) {
            self.$field.poll_ahead(cx);
        }
    };
    (@peer $field:tt) => {
        fn peer(&mut self) -> ::core::option::Option<$crate::Peer> {
            self.$field.peer()
        }

        fn pending(&mut self) -> ::core::option::Option<u64> {
            self.$field.pending()
        }
    };
    (@keep_little $field:tt) => {
        fn keep_little(&mut self) {
            self.$field.keep_little();
        }
    };
    (@abort $field:tt) => {
        fn abort(&mut self) {
            self.$field.abort();
        }
    };
    (@linger $field:tt) => {
        fn linger(&self) -> ::core::option::Option<::core::time::Duration> {
            self.$field.linger()
        }
    };
    (@poll_finish $field:tt) => {
        fn poll_finish(
            &mut self,
            cx: &mut ::core::task::Context<'_>,
            end: &$crate::End,
        ) -> ::core::task::Poll<::std::io::Result<()>> {
            self.$field.poll_finish(cx, end)
        }
    };
    (@poll_close $field:tt) => {
        fn poll_close(
            &mut self,
            cx: &mut ::core::task::Context<'_>,
        ) -> ::core::task::Poll<::std::io::Result<()>> {
            self.$field.poll_close(cx)
        }
    };
    (@close_timeout $field:tt) => {
        fn close_timeout(&self) -> ::core::option::Option<::core::time::Duration> {
            self.$field.close_timeout()
        }
    };
    (@ending $field:tt) => {
        fn ending(&self) -> $crate::Ending {
            self.$field.ending()
        }
    };
    (@end $field:tt) => {
        fn end(&mut self) -> $crate::End {
            self.$field.end()
        }
    };
    (@raw $field:tt) => {
        fn raw(&mut self) -> ::core::option::Option<&mut dyn $crate::Raw> {
            self.$field.raw()
        }
    };
    // === AsyncWrite ===
    (@poll_write $field:tt) => {
        fn poll_write(
            mut self: ::core::pin::Pin<&mut Self>,
            cx: &mut ::core::task::Context<'_>,
            buf: &[u8],
        ) -> ::core::task::Poll<::std::io::Result<usize>> {
            ::core::pin::Pin::new(&mut self.$field).poll_write(cx, buf)
        }
    };
    (@poll_write_vectored $field:tt) => {
        fn poll_write_vectored(
            mut self: ::core::pin::Pin<&mut Self>,
            cx: &mut ::core::task::Context<'_>,
            bufs: &[::std::io::IoSlice<'_>],
        ) -> ::core::task::Poll<::std::io::Result<usize>> {
            ::core::pin::Pin::new(&mut self.$field).poll_write_vectored(cx, bufs)
        }
    };
    (@is_write_vectored $field:tt) => {
        fn is_write_vectored(&self) -> bool {
            self.$field.is_write_vectored()
        }
    };
    (@poll_flush $field:tt) => {
        fn poll_flush(
            mut self: ::core::pin::Pin<&mut Self>,
            cx: &mut ::core::task::Context<'_>,
        ) -> ::core::task::Poll<::std::io::Result<()>> {
            ::core::pin::Pin::new(&mut self.$field).poll_flush(cx)
        }
    };
    (@poll_shutdown $field:tt) => {
        fn poll_shutdown(
            mut self: ::core::pin::Pin<&mut Self>,
            cx: &mut ::core::task::Context<'_>,
        ) -> ::core::task::Poll<::std::io::Result<()>> {
            ::core::pin::Pin::new(&mut self.$field).poll_shutdown(cx)
        }
    };
    ($field:tt: $($method:ident),+ $(,)?) => {
        $($crate::pass_on!(@$method $field);)+
    };
}
