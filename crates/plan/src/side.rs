//! What planning needs to know of a side, so that it is written once for both.

use std::sync::Arc;

use endpoint::{Connector, DialLayer, Layered, Listener, Opened, ServeLayer};

use crate::kind::{Args, Kind, PlanConnect, PlanListen, Planned, Role, Takes};

/// An endpoint of one side: `dyn Listener` or `dyn Connector`.
pub(crate) trait Endpoint {
    /// What goes over such an endpoint.
    type Layer: ?Sized;

    /// The side.
    const ROLE: Role;

    /// Returns what makes an endpoint of this side, if `kind` has it.
    fn make(kind: &Kind) -> Option<Make<Self>>;

    /// Puts `layer` over `inner`.
    fn over(inner: Box<Self>, layer: Arc<Self::Layer>) -> Box<Self>;
}

/// What makes an endpoint, or the part of it that its kind adds.
pub(crate) enum Make<E: Endpoint + ?Sized> {
    /// The endpoint.
    Leaf(Leaf<E>),
    /// A layer over the endpoint in the first positional.
    Layer(Takes, fn(&Args) -> Planned<Arc<E::Layer>>),
}

type Leaf<E> = Box<dyn Fn(&Args) -> Planned<Box<E>>>;

impl Endpoint for dyn Listener {
    type Layer = dyn ServeLayer;

    const ROLE: Role = Role::Listen;

    fn make(kind: &Kind) -> Option<Make<Self>> {
        Some(match kind.listen.as_ref()?.plan {
            PlanListen::Leaf(plan) => Make::Leaf(Box::new(plan)),
            PlanListen::Layer(takes, plan) => Make::Layer(takes, plan),
            PlanListen::Opened(times) => {
                let Some(PlanConnect::Leaf(plan)) = kind.connect.as_ref().map(|side| side.plan)
                else {
                    unreachable!("`{}` is listened on by opening, and can't be opened", kind.name)
                };
                Make::Leaf(Box::new(move |args| {
                    Ok(Box::new(Opened::new(plan(args)?, args.descriptor.clone(), times)))
                }))
            }
        })
    }

    fn over(inner: Box<Self>, layer: Arc<Self::Layer>) -> Box<Self> {
        Box::new(Layered::new(inner, layer))
    }
}

impl Endpoint for dyn Connector {
    type Layer = dyn DialLayer;

    const ROLE: Role = Role::Connect;

    fn make(kind: &Kind) -> Option<Make<Self>> {
        Some(match kind.connect.as_ref()?.plan {
            PlanConnect::Leaf(plan) => Make::Leaf(Box::new(plan)),
            PlanConnect::Layer(takes, plan) => Make::Layer(takes, plan),
        })
    }

    fn over(inner: Box<Self>, layer: Arc<Self::Layer>) -> Box<Self> {
        Box::new(Layered::new(inner, layer))
    }
}
