"""Pages of the community: lists, a post, comments, moderation."""
